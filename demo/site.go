package demo

import "github.com/clu-ws/clu-ws/bridge/site"

// Site is what an operator would configure about the simulated observatory: the section site of
// clu-ws demo, unless its configuration file has one.
func Site() *site.Config {
	limit := func(v float64) *float64 { return &v }
	return &site.Config{
		Title: "Demo observatory",
		Keywords: map[string]site.Keyword{
			"weather.wind_speed_ms":        {High: limit(12), HighCritical: limit(15)},
			"weather.humidity_percent":     {High: limit(75), HighCritical: limit(85)},
			"camera.ccd_temp_c":            {Low: limit(-112), High: limit(-108), HighCritical: limit(-100)},
			"spectrograph.cryostat_temp_k": {High: limit(123), HighCritical: limit(128)},
			"mount.airmass":                {Description: "Air mass, which is 1 at the zenith", High: limit(2)},
		},
		Conditions: []site.ConditionConfig{
			{Name: "unsafe-weather", When: "weather.is_safe == false", Level: "error", Text: "The weather is not safe: the dome must be closed."},
			{Name: "open-in-unsafe-weather", When: `weather.is_safe == false and dome.dome_shutter == "open"`, Level: "critical", Text: "The dome is open although the weather is not safe."},
			{Name: "sun", When: `weather.sun_alt_deg > 3 and dome.dome_shutter == "open"`, Level: "warn", Text: "The dome is open while the sun is up."},
		},
		Pins: map[string][]string{
			"weather":      {"wind_speed_ms", "humidity_percent", "night_time"},
			"dome":         {"dome_shutter", "dome_az_deg", "weather_safe"},
			"mount":        {"state", "alt_deg", "az_deg"},
			"camera":       {"camera_state", "image_number", "ccd_temp_c"},
			"spectrograph": {"cryostat_temp_k", "cooler_power_w", "spectrograph_status_labels"},
		},
		Dangerous: []site.Dangerous{{Consumer: []string{"dome"}, Verb: []string{"open"}}, {Consumer: []string{"spectrograph"}, Verb: []string{"cooler"}}},
		Boards:    site.Boards{List: boards()},
	}
}

// boards are the saved views of the simulated observatory.
func boards() []site.Board {
	return []site.Board{
		{Name: "night", Title: "The night", Items: []site.Item{
			{Plot: []string{"weather.wind_speed_ms", "weather.humidity_percent"}, Range: "15m"},
			{Plot: []string{"dome.dome_shutter", "mount.state", "camera.camera_state"}, Range: "15m"},
			{Keywords: []string{"weather.night_time", "weather.is_safe", "dome.dome_shutter", "mount.state", "camera.image_number"}},
			{Log: "code=we!f"},
		}},
		{Name: "cryostat", Title: "Cryostat", Items: []site.Item{
			{Plot: []string{"spectrograph.cryostat_temp_k", "spectrograph.cooler_power_w"}, Range: "15m"},
			{Actor: "spectrograph"},
		}},
	}
}
