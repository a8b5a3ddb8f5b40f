// Written by "npx clu-ws types": write it again when the actors change, and change nothing here.

/** A number that an actor says. NaN and infinities, which JSON lacks, come as texts. */
export type Float = number | "NaN" | "Infinity" | "-Infinity";

/** An integer. Beyond 2^53 it is a text of its digits, or a BigInt, as the option `bigint` of the client says. */
export type Integer = number | string | bigint;

/** The actors of this site: `connect<Site>(url)`. */
export type Site = {
  dome: {
    keywords: {
      /** An event that needs attention */
      alert: string;
      /** Azimuth of the opening, from north through east [deg] 0 to 360 */
      dome_az_deg: Float;
      /** Whether the dome rotates */
      dome_rotating: boolean;
      /** What the shutter is doing */
      dome_shutter: "closed" | "opening" | "open" | "closing" | "stopped";
      /** How far the shutter is open [%] 0 to 100 */
      dome_shutter_percent: Float;
      /** Azimuth to which the dome rotates [deg] 0 to 360 */
      dome_target_az_deg: Float;
      /** Whether the weather is safe, by the weather actor */
      weather_safe: boolean;
    };
    commands: "close" | "get-command-model" | "get_schema" | "help" | "keyword" | "open" | "ping" | "rotate" | "status" | "stop" | "version";
  };

  weather: {
    keywords: {
      /** An event that needs attention */
      alert: string;
      /** Dew point [°C] -60 to 50 */
      dew_point_c: Float;
      /** Relative humidity [%] 0 to 100 */
      humidity_percent: Float;
      /** Whether a dome may be open */
      is_safe: boolean;
      /** Time of the simulated night, UTC */
      night_time: string;
      /** Air pressure [hPa] 500 to 1100 */
      pressure_hpa: Float;
      /** Altitude of the sun in the simulated night [deg] -90 to 90 */
      sun_alt_deg: Float;
      /** Air temperature [°C] -40 to 50 */
      temperature_c: Float;
      /** Direction from which the wind comes, from north through east [deg] 0 to 360 */
      wind_direction_deg: Float;
      /** Wind speed [m/s] 0 to 80 */
      wind_speed_ms: Float;
    };
    commands: "get-command-model" | "get_schema" | "help" | "keyword" | "ping" | "simulate" | "status" | "version";
  };
};
