package demo

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/bridge/site"
)

func TestTheSiteNamesKeywordsThatTheActorsHave(t *testing.T) {
	cfg := Site()
	s, err := site.Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	models := map[string]model{"weather": weatherModel, "dome": domeModel, "mount": mountModel, "camera": cameraModel, "spectrograph": spectrographModel}
	has := func(keyword string) {
		t.Helper()
		actor, name, _ := strings.Cut(keyword, ".")
		if _, ok := models[actor][name]; !ok {
			t.Errorf("no actor has the keyword %s", keyword)
		}
	}
	for keyword := range cfg.Keywords {
		has(keyword)
	}
	for _, c := range s.Conditions() {
		for _, keyword := range c.When.Refs() {
			has(keyword)
		}
	}
	for actor, pins := range cfg.Pins {
		for _, pin := range pins {
			has(actor + "." + pin)
		}
	}
	for _, b := range cfg.Boards.List {
		for _, item := range b.Items {
			for _, keyword := range append(item.Plot, item.Keywords...) {
				has(keyword)
			}
		}
	}
}
