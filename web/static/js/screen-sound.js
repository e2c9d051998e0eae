// Songs on the office screen's loudspeakers. A browser lets a page sound only once somebody touched it, so a screen
// that may not says so calmly, with a button; that it was pressed is remembered for the next time.
const KEY = "screen-sound";
const YOUNG_S = 10;
const FADE_S = 0.3;

function remembered() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

function remember(word) {
  try {
    localStorage.setItem(KEY, word);
  } catch {
    // Storage may be forbidden; then it is asked for again.
  }
}

export class Sound {
  #context = null;
  #gain = null;
  #source = null;
  #key = "";
  #asked = false;
  #allow;
  #stop;

  constructor(root, token) {
    this.#allow = root.querySelector("[data-sound-on]");
    this.#stop = root.querySelector("[data-sound-stop]");
    this.#allow.addEventListener("click", () => this.#turnOn());
    this.#stop.addEventListener("click", () => this.#stopAll(token));
    // Some televisions let a page sound at once, and where it was switched on before that is tried.
    if (remembered() === "on") this.#turnOn();
  }

  /** What the appliance says is to be played: `{key, age_s, volume}`, or null for silence. */
  show(song) {
    if (song === null || song === undefined) {
      this.#key = "";
      this.#end();
      return;
    }
    if (song.key === this.#key) {
      this.#loud(song.volume);
      return;
    }
    this.#end();
    this.#key = song.key;
    if (song.age_s > YOUNG_S) return;
    this.#asked = true;
    this.#play(song);
  }

  tick() {
    const sounds = this.#context?.state === "running";
    // Nobody is asked for sound on a screen that never had a song to play.
    const hidden = sounds || (!this.#asked && remembered() !== "on") || remembered() === "off";
    if (this.#allow.hidden !== hidden) this.#allow.hidden = hidden;
    const silent = !this.#source;
    if (this.#stop.hidden !== silent) this.#stop.hidden = silent;
  }

  async #play({ key, volume }) {
    if (this.#context?.state !== "running") return;
    try {
      const response = await fetch(`/screen/songs/${key}`, { signal: AbortSignal.timeout(5000) });
      if (!response.ok) return;
      const buffer = await this.#context.decodeAudioData(await response.arrayBuffer());
      if (key !== this.#key) return;
      this.#loud(volume);
      const source = this.#context.createBufferSource();
      source.buffer = buffer;
      source.connect(this.#gain);
      source.addEventListener("ended", () => {
        source.disconnect();
        if (this.#source === source) this.#source = null;
      });
      source.start();
      this.#source = source;
    } catch {
      // The next song is tried again.
    }
  }

  #loud(volume) {
    if (!this.#gain) return;
    // A square: halfway sounds like half.
    this.#gain.gain.setTargetAtTime((volume / 100) ** 2, this.#context.currentTime, FADE_S / 3);
  }

  #end() {
    if (!this.#source) return;
    const source = this.#source;
    this.#source = null;
    this.#gain.gain.setTargetAtTime(0, this.#context.currentTime, FADE_S / 3);
    source.stop(this.#context.currentTime + FADE_S);
  }

  async #turnOn() {
    try {
      this.#context ??= new AudioContext();
      if (!this.#gain) {
        this.#gain = this.#context.createGain();
        this.#gain.connect(this.#context.destination);
      }
      // Where it is not allowed yet this waits for ever; the button stays.
      await this.#context.resume();
      remember("on");
    } catch {
      // The button stays.
    }
    this.tick();
  }

  async #stopAll(token) {
    this.#end();
    try {
      await fetch("/screen/songs/stop", { method: "POST", headers: { "X-CSRF-Token": token, Accept: "application/json" } });
    } catch {
      // It is silent here in any case.
    }
  }
}
