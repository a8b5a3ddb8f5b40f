package model

import "strings"

// suffixes are the units that the last word of a keyword's name means. Single letters may also be
// an index (camera_a) or a photometric band (mag_v); except for those that actors use most, they
// count only beside a word of [letters].
var suffixes = map[string]string{
	"deg": "deg", "degs": "deg", "degree": "deg", "degrees": "deg", "arcsec": "arcsec", "arcmin": "arcmin", "rad": "rad",
	"c": "°C", "degc": "°C", "celsius": "°C", "kelvin": "K", "mk": "mK",
	"pct": "%", "percent": "%", "rh": "%",
	"s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "us": "µs", "ns": "ns", "minutes": "min", "hours": "h", "days": "d",
	"ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms",
	"mps": "m/s", "kmh": "km/h", "kph": "km/h", "mph": "mph", "rpm": "rpm", "lpm": "l/min",
	"hz": "Hz", "khz": "kHz", "mhz": "MHz", "ghz": "GHz",
	"volt": "V", "volts": "V", "mv": "mV", "kv": "kV", "amp": "A", "amps": "A", "ma": "mA", "watt": "W", "watts": "W", "kw": "kW", "kwh": "kWh", "ohm": "Ω", "ohms": "Ω",
	"pa": "Pa", "hpa": "hPa", "kpa": "kPa", "mpa": "MPa", "bar": "bar", "mbar": "mbar", "torr": "Torr", "mtorr": "mTorr", "psi": "psi", "mmhg": "mmHg",
	"nm": "nm", "um": "µm", "micron": "µm", "microns": "µm", "mm": "mm", "cm": "cm", "km": "km", "meter": "m", "meters": "m", "metres": "m", "angstrom": "Å", "angstroms": "Å",
	"kg": "kg", "bytes": "B", "kb": "kB", "mb": "MB", "gb": "GB", "kib": "KiB", "mib": "MiB", "gib": "GiB", "adu": "ADU", "electrons": "e⁻",
	"db": "dB", "dbm": "dBm", "ppm": "ppm", "lux": "lx",
}

// letters are the single letters that mean a unit if the name has one of the words.
var letters = map[string]struct {
	unit  string
	words []string
}{
	"k": {"K", []string{"temp", "temperature"}},
	"f": {"°F", []string{"temp", "temperature"}},
	"v": {"V", []string{"volt", "voltage", "battery", "supply"}},
	"a": {"A", []string{"current"}},
	"w": {"W", []string{"power"}},
	"m": {"m", []string{"height", "altitude", "distance", "elevation", "length", "depth", "width"}},
	"h": {"h", []string{"time", "elapsed", "remaining", "duration", "age", "uptime"}},
}

// speeds are the words by which _ms is metres a second. Without one it is milliseconds.
var speeds = []string{"wind", "speed", "gust", "gusts", "velocity", "vel"}

// qualifiers may follow a unit: temperature_c_max.
var qualifiers = map[string]bool{
	"avg": true, "average": true, "mean": true, "min": true, "max": true, "median": true, "std": true, "rms": true,
	"setpoint": true, "target": true, "last": true, "now": true, "limit": true, "error": true,
}

// UnitOf returns the unit that the suffix of a keyword's name says, or "":
//
//	wind_direction_deg  deg      ccd_temp_c    °C     wind_speed_ms  m/s
//	exposure_time_s     s        humidity_pct  %      latency_ms     ms
func UnitOf(name string) string {
	words := strings.Split(strings.ToLower(name), "_")
	for len(words) > 2 && qualifiers[words[len(words)-1]] {
		words = words[:len(words)-1]
	}
	last := len(words) - 1
	if last == 0 { // the name itself is no suffix
		return ""
	}
	has := func(any []string) bool {
		for _, w := range any {
			for _, of := range words[:last] {
				if of == w {
					return true
				}
			}
		}
		return false
	}
	suffix := words[last]
	if letter, ok := letters[suffix]; ok {
		if has(letter.words) {
			return letter.unit
		}
		return ""
	}
	if suffix == "ms" && has(speeds) {
		return "m/s"
	}
	return suffixes[suffix]
}
