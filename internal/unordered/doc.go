// Package unordered has lists whose order does not matter: Remove removes at the cost of a search,
// and a Set, which takes more memory, without one.
package unordered
