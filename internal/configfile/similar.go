package configfile

import "strings"

// Similar returns the known name that an unknown one is most like; "" if it is like none.
func Similar(name string, known []string) (best string) {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	least := 3
	for _, k := range known {
		if d := distance(name, k); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance returns how many letters must be inserted, left out or replaced to make one text of
// another (the Levenshtein distance).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
