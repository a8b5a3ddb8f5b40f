// Package unordered removes elements of lists whose order does not matter, at the cost of
// a search.
package unordered
