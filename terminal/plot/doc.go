// Package plot draws in a terminal what keywords were, or writes it as CSV.
//
//	plot.go      asks the bridge, and prints
//	answer.go    the bridge's answer to history
//	columns.go   what a number was in each column of dots
//	canvas.go    dots as Braille patterns, or as ASCII where the terminal has no UTF-8
//	bands.go     states, each as a band with its name
//	draw.go      the picture: axes, marks of gaps, a heading with the last value and its age
//	csv.go       a row for each time at which something changed
//
// What is not known is not drawn: a curve and a band have a hole where the bridge may have missed replies, where the
// actor was silent, and after the value was heard last. Each such place has a mark, however short it is.
package plot
