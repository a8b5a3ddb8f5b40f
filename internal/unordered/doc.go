// Package unordered removes elements from lists whose order does not matter, at the cost of
// a search.
package unordered
