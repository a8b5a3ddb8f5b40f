package bench

import (
	"cmp"
	"slices"
)

// percentile returns the smallest of the values that is at least as large as p percent of them (nearest rank), and 0 for
// no values. It sorts the values.
func percentile[T cmp.Ordered](values []T, p float64) T {
	if len(values) == 0 {
		var zero T
		return zero
	}
	slices.Sort(values)
	rank := int(p / 100 * float64(len(values)))
	if float64(rank) < p/100*float64(len(values)) {
		rank++
	}
	return values[min(max(rank, 1), len(values))-1]
}

// median returns the middle of the values, or the mean of the two in the middle. It does not change their order.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
