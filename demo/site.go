package demo

import "github.com/clu-ws/clu-ws/bridge/site"

// Site describes the observatory to a bridge: what its actors do not say themselves.
func Site() *site.Config {
	limit := func(v float64) *float64 { return &v }
	return &site.Config{
		Title: "Demo Observatory",
		Keywords: map[string]site.Keyword{
			"weather.wind_speed_ms":            {High: limit(12), HighCritical: limit(windMax)},
			"weather.humidity_percent":         {High: limit(75), HighCritical: limit(humidityMax)},
			"spectrograph.cryostat_temp_k":     {High: limit(cryostatWarns), HighCritical: limit(cryostatFails)},
			"spectrograph.cooler_power_w":      {Low: limit(5)},
			"camera.ccd_temp_c":                {High: limit(detectorTemp + 10)},
			"mount.airmass":                    {High: limit(2.5)},
			"dome.dome_shutter":                {Description: "What the shutter of the dome is doing"},
			"spectrograph.spectrograph_status": {Description: "Status bits of the controller, as hex"},
		},
		Conditions: []site.ConditionConfig{
			{Name: "unsafe", When: `weather.is_safe == false`, Level: "error", Text: "The weather is not safe"},
			{Name: "open-in-bad-weather", When: `weather.is_safe == false and dome.dome_shutter != "closed"`, Level: "critical", Text: "The dome is open, and the weather is not safe", For: 3 * shutterTime},
		},
		Pins: map[string][]string{
			"weather":      {"is_safe", "wind_speed_ms", "humidity_percent"},
			"dome":         {"dome_shutter", "dome_az_deg", "dome_rotating"},
			"mount":        {"state", "alt_deg", "az_deg"},
			"camera":       {"camera_state", "exposure_percent", "image_number"},
			"spectrograph": {"cryostat_temp_k", "spectrograph_status_labels", "lamp_current_a"},
		},
		Dangerous: []site.Dangerous{{Consumer: []string{"dome"}, Verb: []string{"open"}}, {Verb: []string{"simulate"}}},
		Boards: site.Boards{List: []site.Board{{
			Name: "night", Title: "The night", Items: []site.Item{
				{Plot: []string{"weather.wind_speed_ms", "weather.humidity_percent"}, Range: "30m"},
				{Plot: []string{"dome.dome_shutter", "mount.state", "camera.camera_state"}, Range: "30m"},
				{Keywords: []string{"dome.dome_shutter", "mount.alt_deg", "camera.image_number", "spectrograph.cryostat_temp_k"}},
				{Actor: "spectrograph"},
			},
		}}},
	}
}
