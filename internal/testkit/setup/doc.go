// Command setup makes the cached components of the tests ahead of time, side by side, so that a failure
// is told once, and before the tests. It ends with one line for each component that is missing; it never
// fails, for the tests themselves decide what a missing component means.
package main
