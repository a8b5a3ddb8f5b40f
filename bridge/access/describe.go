package access

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/filter"
)

// Describe says who may do what, in plain lines, as clu-ws check prints them. It reads the files
// that the configuration names. It contains no secret.
func (cfg Config) Describe(o Options) ([]string, error) {
	a, err := New(cfg, o)
	if err != nil {
		return nil, err
	}
	return a.Describe(), nil
}

// Describe says who may do what, in plain lines.
func (a *Authority) Describe() []string {
	s := a.state.Load()
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s.roles)) {
		lines = append(lines, fmt.Sprintf("role %s: %s", name, s.roles[name].Describe()))
	}
	return append(lines, s.describeSources()...)
}

// describeSources says who gets which role.
func (s *state) describeSources() (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	cfg := s.cfg
	if cfg.Anonymous != "" {
		add("without a credential: role %s", cfg.Anonymous)
	} else {
		add("without a credential: nobody enters")
	}
	for _, t := range s.sortedTokens() {
		add("token of %s: role %s%s", t.name, t.role, s.tokenNotes(t))
	}
	if cfg.Signed != nil {
		add("signed URL of a room: hears that room")
		if cfg.Signed.Role != "" {
			add("signed URL of /: role %s", cfg.Signed.Role)
		}
	}
	for _, j := range cfg.JWT {
		add("JWT of %s: %s; or the grants in its claim clu", j.Issuer, describeRoles(j.Roles, j.Role))
	}
	for _, subject := range slices.Sorted(maps.Keys(cfg.Certificates)) {
		add("certificate of %s: role %s", subject, cfg.Certificates[subject])
	}
	if len(cfg.Unix) > 0 {
		add("Unix sockets: %s", describeRoles(cfg.Unix, ""))
	}
	if p := cfg.Proxy; p != nil && p.User != "" {
		roles := describeRoles(p.Roles, p.Role)
		if len(p.Roles) == 0 && p.Groups != "" {
			roles = "the role that has the name of a group"
			if p.Role != "" {
				roles += ", otherwise " + p.Role
			}
		}
		add("user in %s from a proxy at %s: %s", p.User, strings.Join(p.From, ", "), roles)
	}
	if c := cfg.Callback; c != nil {
		add("callback: as %s answers", RedactTarget(c.URL))
	}
	for _, r := range cfg.Revoked {
		add("revoked: %s", describeRevocation(r))
	}
	return lines
}

func (s *state) tokenNotes(t *token) string {
	var notes []string
	for _, cfg := range s.cfg.Tokens {
		if cfg.Hash != "" && strings.EqualFold(cfg.Hash, hashMark+fmt.Sprintf("%x", t.hash)) && len(cfg.From) > 0 {
			notes = append(notes, "from "+strings.Join(cfg.From, ", "))
		}
	}
	switch {
	case t.expires.IsZero():
	case s.options.Now().Before(t.expires):
		notes = append(notes, "until "+t.expires.UTC().Format("2006-01-02 15:04 UTC"))
	default:
		notes = append(notes, "expired")
	}
	if len(notes) == 0 {
		return ""
	}
	return ", " + strings.Join(notes, ", ")
}

func describeRoles(all Assignments, otherwise string) string {
	var roles []string
	for _, a := range all {
		roles = append(roles, a.Match+" is "+a.Role)
	}
	if otherwise != "" {
		roles = append(roles, "otherwise "+otherwise)
	}
	if len(roles) == 0 {
		return "no role"
	}
	return strings.Join(roles, ", ")
}

func describeRevocation(r Revocation) string {
	var parts []string
	if r.Name != "" {
		parts = append(parts, "of "+r.Name)
	}
	if r.ID != "" {
		parts = append(parts, "with the id "+r.ID)
	}
	if r.IssuedBefore != "" {
		parts = append(parts, "issued before "+r.IssuedBefore)
	}
	return strings.Join(parts, ", ")
}

// Describe says in one line what the grants allow.
func (g *Grants) Describe() string {
	parts := []string{g.describeHearing()}
	if len(g.rooms) > 0 {
		parts = append(parts, "hears rooms "+g.allowed.rooms)
	}
	if len(g.publish) > 0 {
		parts = append(parts, "publishes to rooms "+g.allowed.publish)
	}
	if len(g.command) > 0 {
		parts = append(parts, "commands "+g.allowed.commands)
	} else {
		parts = append(parts, "sends no commands")
	}
	if g.Clients {
		parts = append(parts, "sees who is connected")
	}
	if g.Admin {
		parts = append(parts, "administers")
	}
	if l := g.Limits; l.CommandRate > 0 {
		parts = append(parts, fmt.Sprintf("%g commands a second", l.CommandRate))
	}
	if l := g.Limits; l.MessageRate > 0 {
		parts = append(parts, fmt.Sprintf("%g messages a second", l.MessageRate))
	}
	if l := g.Limits; l.Connections > 0 {
		parts = append(parts, fmt.Sprintf("%d connections", l.Connections))
	}
	return strings.Join(parts, "; ")
}

func (g *Grants) describeHearing() string {
	own := ""
	if g.Own {
		own = "replies to its own commands"
	}
	var text string
	switch filters := texts(g.form.Hear); {
	case len(filters) == 0 && own != "":
		text = "hears " + own + " only"
	case len(filters) == 0:
		return "hears no replies"
	case slices.Contains(filters, "{}"):
		text = "hears every reply"
	default:
		text = "hears replies that fit " + strings.Join(filters, " or ")
		if own != "" {
			text += ", and " + own
		}
	}
	if hide := texts(g.form.Hide); len(hide) > 0 {
		text += ", but none that fit " + strings.Join(hide, " or ")
	}
	return text
}

// texts returns the canonical forms of filters.
func texts(filters []json.RawMessage) (all []string) {
	for _, raw := range filters {
		if f, err := filter.Parse(raw); err == nil {
			all = append(all, f.Key())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
