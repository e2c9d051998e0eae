// The appliance's own clock on the screen: a television's is often wrong, and in another zone. Between two words
// of the appliance it goes on by the browser's steady clock, for as long as the line is down.

export class Clock {
  #at = 0;
  #since = 0;
  #shiftMs = 0;

  /** @param {string} at ISO 8601 with the distance from UTC. */
  constructor(at) {
    this.set(at);
  }

  set(at) {
    const ms = Date.parse(at);
    if (Number.isNaN(ms)) return;
    const zone = /([+-])(\d\d):(\d\d)$/.exec(at);
    this.#shiftMs = zone ? (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000 : 0;
    this.#at = ms;
    this.#since = performance.now();
  }

  /** The time where the appliance stands, to be read with the getters of UTC. */
  now() {
    return new Date(this.#at + performance.now() - this.#since + this.#shiftMs);
  }
}

const DATE = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });

export function time(date) {
  return date.toISOString().slice(11, 16);
}

export function day(date) {
  return DATE.format(date);
}

export function greeting(date) {
  const hour = date.getUTCHours();
  if (hour < 5) return "Hello";
  if (hour < 12) return "Good morning";
  return hour < 18 ? "Good afternoon" : "Good evening";
}

export function isDay(date) {
  const hour = date.getUTCHours();
  return hour >= 7 && hour < 19;
}
