package bridge

import (
	"github.com/clu-ws/clu-ws/bridge/access"
	"github.com/clu-ws/clu-ws/bridge/engine"
	"github.com/clu-ws/clu-ws/bridge/hub"
	"github.com/clu-ws/clu-ws/bridge/protocol"
	"github.com/clu-ws/clu-ws/bridge/site"
)

// newSite compiles what the operator configured about the observatory.
func (b *Bridge) newSite() error {
	s, err := site.Compile(b.cfg.Site)
	if err != nil {
		return err
	}
	b.site.Store(s)
	return nil
}

// setSite replaces the site, and tells clients of it if it is another. The caller holds reloading.
func (b *Bridge) setSite(cfg *site.Config, s *site.Site) {
	if site.Same(b.cfg.Site, cfg) {
		return
	}
	b.cfg.Site = cfg
	b.site.Store(s)
	// First of all, as the problems that change are those of the new site.
	b.hub.Notice(protocol.NoticeSite, "", protocol.Encode(protocol.SiteChanged{Op: "site", State: "changed"}))
	b.problems.SetConditions(s.Conditions())
	b.problems.Seed(b.lastValues)
}

// siteAnswer is the answer to the request site.
type siteAnswer struct {
	Op string  `json:"op"` // site
	ID *string `json:"id"`
	site.View
}

// describeSite answers with what the client may know of the site.
func (b *Bridge) describeSite(s *hub.Session, r request) error {
	return b.hub.Answer(hubConn{r.conn}, s, 0, func() engine.Frame {
		mayCommand := func(consumer string) bool {
			return b.decide(r.client, access.Request{Door: access.Acknowledge, Consumer: consumer}).Allowed
		}
		return protocol.Encode(siteAnswer{"site", r.id, b.site.Load().For(viewOf(r.client), mayCommand)})
	})
}
