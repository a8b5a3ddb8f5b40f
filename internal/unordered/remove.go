package unordered

// Remove removes the first element that is v from the list, whose last element takes its
// place. The memory of the list is reused.
func Remove[V comparable](list []V, v V) []V {
	for i := range list {
		if list[i] == v {
			last := len(list) - 1
			list[i] = list[last]
			clear(list[last:])
			return list[:last]
		}
	}
	return list
}
