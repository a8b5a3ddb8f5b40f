package bench

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The plot is dots on logarithmic axes: servers differ by factors, and a bar would need a zero.
const (
	plotWidth  = 920
	panelWidth = plotWidth / 2
	plotLabels = 156 // the width of the names
	plotMargin = 22
	plotRow    = 19
	panelHead  = 44
	panelFoot  = 30
	plotLegend = 34
)

// panel is one of the figures.
type panel struct {
	title, unit string
	values      [][]float64 // of each peer, one for each number of clients; 0 is none
}

const plotStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #59636e }
.title { font-weight: 600; fill: #1f2328 }
.grid { stroke: #d1d9e0 }
.span { stroke: #59636e; opacity: .5 }
circle { fill: #59636e; opacity: .85 }
.own text { fill: #0550ae; font-weight: 600 }
.own circle { fill: #0969da }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 }
.title { fill: #f0f6fc }
.grid { stroke: #3d444d }
.span { stroke: #9198a1 }
circle { fill: #9198a1 }
.own text { fill: #79c0ff }
.own circle { fill: #4493f8 }
}
</style>
`

// Plot returns the figures as an image in SVG that suits light and dark pages.
func (r *PeersReport) Plot() string {
	panels := r.panels()
	height := panelHead + len(r.Peers)*plotRow + panelFoot
	var b strings.Builder
	total := plotLegend + (len(panels)+1)/2*height
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">\n", plotWidth, total)
	fmt.Fprint(&b, "<title>clu-ws and other servers: the figures are in the tables</title>\n", plotStyle)
	r.legend(&b)
	for i, p := range panels {
		fmt.Fprintf(&b, "<g transform=\"translate(%d %d)\">\n", i%2*panelWidth, plotLegend+i/2*height)
		r.panel(&b, p)
		fmt.Fprint(&b, "</g>\n")
	}
	fmt.Fprint(&b, "</svg>\n")
	return b.String()
}

func (r *PeersReport) panels() []panel {
	loads := func(of func(LoadFigures) []float64) (values [][]float64) {
		for _, p := range r.Peers {
			var row []float64
			for _, f := range p.Loads {
				row = append(row, median(of(f)))
			}
			values = append(values, row)
		}
		return values
	}
	var idle [][]float64
	for _, p := range r.Peers {
		idle = append(idle, []float64{p.Idle})
	}
	return []panel{
		{"CPU time of a delivery, less is better", "us", loads(func(f LoadFigures) []float64 { return f.SteadyCPU })},
		{"deliveries/s in a burst, more is better", "/s", loads(func(f LoadFigures) []float64 { return f.Rate })},
		{"p99 latency, less is better", "ms", loads(func(f LoadFigures) []float64 { return f.P99 })},
		{"memory of an idle client, less is better", "B", idle},
	}
}

// legend says which dot is which number of clients.
func (r *PeersReport) legend(b *strings.Builder) {
	x := plotLabels
	for i, f := range r.first().Loads {
		text := grouped(f.Clients) + " clients"
		fmt.Fprintf(b, "<circle cx=\"%d\" cy=\"17\" r=\"%.1f\"/><text x=\"%d\" y=\"21\">%s</text>\n", x, dotSize(i), x+12, text)
		x += 110
	}
}

func dotSize(i int) float64 { return 2.5 + 1.5*float64(i) }

func (r *PeersReport) panel(b *strings.Builder, p panel) {
	low, high := decades(p.values)
	bottom := panelHead + len(r.Peers)*plotRow
	at := func(v float64) float64 {
		share := (math.Log10(v) - float64(low)) / float64(high-low)
		return plotLabels + share*(panelWidth-plotLabels-plotMargin)
	}
	fmt.Fprintf(b, "<text class=\"title\" x=\"%d\" y=\"24\">%s</text>\n", plotLabels, html.EscapeString(p.title))
	for d := low; d <= high; d++ {
		v := math.Pow10(d)
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n", at(v), at(v), panelHead-10, bottom)
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", at(v), bottom+16, tick(v, p.unit))
	}
	for i, row := range p.values {
		r.dots(b, i, row, at)
	}
}

// dots draws the figures of a peer.
func (r *PeersReport) dots(b *strings.Builder, i int, row []float64, at func(float64) float64) {
	y := panelHead + i*plotRow + plotRow/2 - 4
	class := ""
	if i == 0 {
		class = " class=\"own\""
	}
	fmt.Fprintf(b, "<g%s><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", class, plotLabels-12, y+4, html.EscapeString(r.Peers[i].Name))
	from, to := math.Inf(1), math.Inf(-1)
	for _, v := range row {
		if v > 0 {
			from, to = min(from, at(v)), max(to, at(v))
		}
	}
	if from < to {
		fmt.Fprintf(b, "<line class=\"span\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", from, to, y, y)
	}
	for n := len(row) - 1; n >= 0; n-- { // small dots over large ones
		size := dotSize(n)
		if len(row) == 1 {
			size = dotSize(1) // not a number of clients
		}
		if row[n] > 0 {
			fmt.Fprintf(b, "<circle cx=\"%.1f\" cy=\"%d\" r=\"%.1f\"/>", at(row[n]), y, size)
		}
	}
	fmt.Fprint(b, "</g>\n")
}

// decades returns the powers of ten around all values.
func decades(values [][]float64) (low, high int) {
	from, to := math.Inf(1), math.Inf(-1)
	for _, row := range values {
		for _, v := range row {
			if v > 0 {
				from, to = min(from, v), max(to, v)
			}
		}
	}
	if from > to {
		return 0, 1
	}
	low, high = int(math.Floor(math.Log10(from))), int(math.Ceil(math.Log10(to)))
	return low, max(high, low+1)
}

// tick formats a power of ten.
func tick(v float64, unit string) string {
	if unit == "ms" && v >= 1000 {
		return fmt.Sprintf("%g s", v/1000)
	}
	for _, step := range []struct {
		size   float64
		prefix string
	}{{1e6, "M"}, {1e3, "k"}} {
		if v >= step.size {
			return fmt.Sprintf("%g %s%s", v/step.size, step.prefix, unit)
		}
	}
	return fmt.Sprintf("%g %s", v, unit)
}
