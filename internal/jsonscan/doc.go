// Package jsonscan reads JSON text without decoding it. Often the only question is whether a
// text is JSON, or where its top-level values are.
//
//	text of a client ──► Valid ──► MembersOf, Keys ──► a key, and its value as it is written
//	                          └──► Elements ─────────► the elements of an array, as they are written
//
// Valid is [json.Valid], but several times faster (valid.go). The other functions rely on
// valid JSON, and find the values of one object or array without copying them (members.go).
package jsonscan
