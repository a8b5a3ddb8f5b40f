package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// descendants returns these processes and all that they have started, directly or not.
func (p procfs) descendants(roots []int) ([]int, error) {
	files, err := filepath.Glob(filepath.Join(p.root, "[0-9]*", "stat"))
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// proc(5): the state and the parent follow the name, in parentheses, which may contain anything.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 2 {
			continue
		}
		parent, err1 := strconv.Atoi(string(fields[1]))
		pid, err2 := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err1 == nil && err2 == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	all := slices.Clone(roots)
	for i := 0; i < len(all); i++ {
		for _, pid := range children[all[i]] {
			if !slices.Contains(all, pid) {
				all = append(all, pid)
			}
		}
	}
	return all, nil
}
