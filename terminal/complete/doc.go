// Package complete says what could follow in a command line: actors, then the commands, options and choices of an actor's
// model. Nothing of it is sent: a completion only writes into the line. The rules are those of the page's command line;
// both are held to the cases in testdata/rules.json.
//
//	complete.go   a line into candidates
//	walk.go       from the words of a line to the parameter that comes next
//	words.go      what a parameter takes, in words
package complete
