package rooms

import (
	"fmt"
	"strings"
)

// sourceForm describes the form of a source, for error messages.
const sourceForm = "write exchange=NAME[,type=topic|fanout|direct][,binding=PATTERN][,path=/PREFIX][,format=FORMAT] or redis=URL,path=/PREFIX[,channel=PATTERN...][,prefix=TEXT][,broadcast=CHANNEL][,format=FORMAT]"

// ParseSource parses exchange=NAME[,type=topic|fanout|direct][,binding=PATTERN][,path=/PREFIX][,format=FORMAT]
// or redis=URL,path=/PREFIX[,channel=PATTERN...][,prefix=TEXT][,broadcast=CHANNEL][,format=FORMAT].
func ParseSource(text string) (s Source, err error) {
	var r Redis
	shown, quoted := withoutURL(text)
	given := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		to := map[string]*string{
			"exchange": &s.Exchange, "type": &s.Type, "binding": &s.Binding, "path": &s.Path, "format": &s.Format,
			"redis": &r.URL, "prefix": &r.Prefix, "broadcast": &r.Broadcast,
		}[key]
		if ok && key == "channel" {
			r.Channels = append(r.Channels, "")
			to = &r.Channels[len(r.Channels)-1]
		}
		switch {
		case (!ok || to == nil) && !quoted: // it may be a part of the password
			return s, fmt.Errorf("a part of the source %q is not understood; %s, with special characters in the URL percent-encoded, as %%2C for a comma", shown, sourceForm)
		case !ok || to == nil:
			return s, fmt.Errorf("%q of the source %q is not understood; %s", part, shown, sourceForm)
		case given[key] && key != "channel":
			return s, fmt.Errorf("the source %q has two of %s; %s, and a space between two sources", shown, key, sourceForm)
		case value == "":
			return s, fmt.Errorf("the source %q has an empty %s; %s", shown, key, sourceForm)
		}
		given[key], *to = true, value
	}
	switch {
	case given["redis"]:
		s.Redis = &r
	case given["channel"], given["prefix"], given["broadcast"]:
		return s, fmt.Errorf("the source %q has channel, prefix or broadcast, but no redis; %s", shown, sourceForm)
	}
	return s, s.Complete()
}

// withoutURL returns a source up to its URL, which may have a password. whole reports that there is
// none.
func withoutURL(text string) (shown string, whole bool) {
	for _, sign := range []string{"redis=", "://"} {
		if before, _, found := strings.Cut(text, sign); found {
			return before + sign + "(hidden)", false
		}
	}
	return text, true
}
