// Command setup makes the cached components of the tests ahead of them, all at the same time, so that a failure is
// reported once. It prints a line for each component that is missing, and never fails: the tests decide what a missing
// component means.
package main
