package webdemo

import (
	"regexp"
	"strings"
)

// The names of the page among the assets: joined, and as it is in the sources.
const (
	indexName   = "index.html"
	sourcesName = "index.html?sources"
)

const framePolicy = "frame-ancestors 'none'"

// pagePolicy lets the page load what this bridge serves and connect to bridges, and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; " + framePolicy

var (
	styleLink  = regexp.MustCompile(`[ \t]*<link rel="(stylesheet|later)" href="([\w./-]+)">\n?`)
	appScript  = `<script type="module" src="page/app.js"></script>`
	indexNotes = regexp.MustCompile(`(?s)\n?<!--.*?-->`)
)

// joinIndex returns the page with one style sheet and one script in place of those that its source names, and the paths
// of its style sheets, in order: those that it needs at once, and those that it loads later (page/shell/styles.js). The
// scripts that the joined one imports are preloaded. Comments, which are for developers, are left out.
func joinIndex(index string, preload []string) (page string, sheets, later []string) {
	index = indexNotes.ReplaceAllString(index, "")
	index = styleLink.ReplaceAllStringFunc(index, func(link string) string {
		match := styleLink.FindStringSubmatch(link)
		list, joined := &sheets, bundleStyle
		if match[1] == "later" {
			list, joined = &later, bundleLater
		}
		*list = append(*list, match[2])
		if len(*list) > 1 {
			return ""
		}
		return `<link rel="` + match[1] + `" href="` + joined + "\">\n"
	})
	var scripts strings.Builder
	for _, name := range preload {
		scripts.WriteString(`<link rel="modulepreload" href="` + name + "\">\n")
	}
	scripts.WriteString(`<script type="module" src="` + bundleApp + `"></script>`)
	return strings.Replace(index, appScript, scripts.String(), 1), sheets, later
}
