// Plays a clip in a page: an HLS playlist of this box, by hls.js where the browser has Media Source Extensions
// and by itself where not (phones that bring HLS along). hls.js is fetched only once something is played.
//
// Times are milliseconds since the epoch: a playlist says when each of its pieces was recorded, so that a moment is
// found by its time even where a clip has a gap. Works while it is being recorded: the playlist grows, and what
// is there can be gone through.
const STEP_S = 5;
const SHORT_OF_END_S = 0.05;
const TRIES = 3;

/** What became of a source that cannot be played, in words. */
const WORDS = {
  gone: "This clip is not there any more.",
  denied: "You may not watch this.",
  network: "The box does not answer just now. It is tried again.",
  failed: "This clip cannot be played.",
  none: "This browser plays no clips: it has neither Media Source Extensions nor HLS.",
};

export class Player {
  /**
   * @param {HTMLElement} root Holds a video, and whatever of `data-player-…` is to be kept up to date.
   * @param {{vendor: string, clock: (ms: number) => string, onTime?: (ms: number) => void}} with_
   */
  constructor(root, { vendor, clock, onTime = () => undefined }) {
    this.root = root;
    this.video = root.querySelector("video");
    this.vendor = vendor;
    this.clock = clock;
    this.onTime = onTime;
    this.hls = null;
    this.begin = 0;
    this.wanted = null;
    this.tries = 0;
    for (const name of ["timeupdate", "seeked", "loadeddata"]) this.video.addEventListener(name, () => this.tell());
    root.addEventListener("click", (event) => {
      const step = event.target.closest?.("[data-player-step]");
      if (step) this.video.currentTime = Math.max(0, this.video.currentTime + Number(step.dataset.playerStep) * STEP_S);
    });
  }

  /**
   * Play a playlist from now on, in the place of what is played.
   * @param {string} playlist Its address.
   * @param {{begin: number, at?: number | null, play?: boolean}} where When it begins; what is wanted of it.
   */
  async open(playlist, { begin, at = null, play = true }) {
    this.close();
    this.begin = begin;
    this.wanted = at;
    this.playlist = playlist;
    this.says("");
    this.root.dataset.state = "loading";
    if ("MediaSource" in window || "ManagedMediaSource" in window) await this.#byLibrary(playlist, play);
    else if (this.video.canPlayType("application/vnd.apple.mpegurl")) this.#byItself(playlist, play);
    else this.fail("none");
  }

  /** Go to a time; ms since the epoch. */
  seek(ms) {
    this.wanted = ms;
    const at = this.#mediaTime(ms);
    if (at === null) return;
    this.video.currentTime = at;
    this.wanted = null;
  }

  /** When what is shown was recorded. */
  now() {
    const details = this.hls?.levels?.[0]?.details;
    const shown = this.video.currentTime;
    const piece = details?.fragments.findLast((each) => each.start <= shown + SHORT_OF_END_S);
    if (piece?.programDateTime) return piece.programDateTime + (shown - piece.start) * 1000;
    const start = this.video.getStartDate?.().getTime();
    return (Number.isFinite(start) ? start : this.begin) + shown * 1000;
  }

  close() {
    this.hls?.destroy();
    this.hls = null;
    this.tries = 0;
  }

  /** Play nothing, and say why. */
  stop(words) {
    this.close();
    this.video.removeAttribute("src");
    this.video.load();
    this.says(words);
  }

  says(words) {
    const place = this.root.querySelector("[data-player-says]");
    if (!place) return;
    place.textContent = words;
    place.hidden = !words;
  }

  fail(kind) {
    this.root.dataset.state = "failed";
    this.says(WORDS[kind]);
    this.root.dispatchEvent(new CustomEvent("player-failed", { detail: kind }));
  }

  tell() {
    const now = this.now();
    const place = this.root.querySelector("[data-player-clock]");
    if (place && this.video.readyState > 1) {
      place.textContent = this.clock(now);
      this.root.dataset.state = "ready";
      this.root.dataset.now = Math.round(now);
    }
    this.onTime(now);
  }

  async #byLibrary(playlist, play) {
    const { default: Hls } = await import(this.vendor);
    if (this.playlist !== playlist) return;
    if (!Hls.isSupported()) return this.fail("none");
    // No worker: what is played is fragmented mp4 already, so there is nothing to convert, and the content policy
    // stays as strict as on any other page. Playing begins where it is wanted, not at the end of what grows.
    const hls = new Hls({
      enableWorker: false,
      startPosition: this.wanted === null ? 0 : Math.max(0, (this.wanted - this.begin) / 1000),
      liveSyncDurationCount: 1,
      liveMaxLatencyDurationCount: Infinity,
      maxBufferLength: 30,
      maxMaxBufferLength: 60,
      backBufferLength: 60,
    });
    this.hls = hls;
    hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => {
      this.root.dataset.grows = details.live;
      if (this.wanted !== null) this.seek(this.wanted);
    });
    hls.on(Hls.Events.ERROR, (_, fault) => this.#faulty(Hls, fault));
    hls.on(Hls.Events.MANIFEST_PARSED, () => play && this.#play());
    hls.loadSource(playlist);
    hls.attachMedia(this.video);
  }

  #byItself(playlist, play) {
    this.video.src = playlist;
    this.video.addEventListener("loadedmetadata", () => this.wanted !== null && this.seek(this.wanted), { once: true });
    this.video.addEventListener("error", () => this.fail("failed"), { once: true });
    if (play) this.#play();
  }

  // Without sound a browser lets a page begin by itself; where it does not, the button is there.
  #play() {
    this.video.play().catch(() => undefined);
  }

  #faulty(Hls, fault) {
    if (!fault.fatal) return;
    const status = fault.response?.code;
    if (status === 404 || status === 410) this.fail("gone");
    else if (status === 401 || status === 403) this.fail("denied");
    else if (fault.type === Hls.ErrorTypes.MEDIA_ERROR && this.tries++ < TRIES) this.hls.recoverMediaError();
    else if (fault.type === Hls.ErrorTypes.NETWORK_ERROR && this.tries++ < TRIES) {
      this.says(WORDS.network);
      setTimeout(() => this.hls && (this.hls.levels?.length ? this.hls.startLoad() : this.hls.loadSource(this.playlist)), 2000);
    } else this.fail(fault.type === Hls.ErrorTypes.NETWORK_ERROR ? "network" : "failed");
  }

  #mediaTime(ms) {
    const pieces = this.hls?.levels?.[0]?.details?.fragments;
    if (!pieces) {
      const start = this.video.getStartDate?.().getTime();
      return this.video.readyState ? Math.max(0, (ms - (Number.isFinite(start) ? start : this.begin)) / 1000) : null;
    }
    const piece = pieces.findLast((each) => (each.programDateTime ?? this.begin + each.start * 1000) <= ms) ?? pieces[0];
    if (!piece) return null;
    const from = piece.programDateTime ?? this.begin + piece.start * 1000;
    const within = Math.min(Math.max(0, (ms - from) / 1000), Math.max(0, piece.duration - SHORT_OF_END_S));
    return piece.start + within;
  }
}
