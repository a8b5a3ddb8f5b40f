package bridge

import (
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/model"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// modelKeywords returns the keywords of a model with what else is known of them: the units and
// descriptions that the operator configured, and the units that names of heard keywords say, as far as
// the client may hear these. The model does not change.
func (b *Bridge) modelKeywords(c *client, m *model.Model, told bool) map[string]model.Keyword {
	keywords := m.Keywords
	if !told {
		keywords = nil
	}
	view := viewOf(c)
	heard := slices.DeleteFunc(b.hub.NumericKeywords(m.Actor), func(name string) bool {
		return !site.HearsKeyword(view, m.Actor+"."+name)
	})
	keywords = model.WithHeard(keywords, heard)
	for name, k := range b.site.Load().For(view, nil).Keywords {
		if path, ok := strings.CutPrefix(name, m.Actor+"."); ok && (k.Unit != "" || k.Description != "") {
			keywords = model.WithSite(keywords, strings.Split(path, "."), k.Unit, k.Description)
		}
	}
	if keywords == nil {
		return map[string]model.Keyword{}
	}
	return keywords
}
