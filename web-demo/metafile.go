package webdemo

import "encoding/json"

// staticImports reads esbuild's description of a build: which outputs each output imports at once, directly or through
// others.
func staticImports(metafile string) (map[string][]string, error) {
	var meta struct {
		Outputs map[string]struct {
			Imports []struct{ Path, Kind string }
		}
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for output := range meta.Outputs {
		seen := map[string]bool{output: true}
		var visit func(string)
		visit = func(name string) {
			for _, i := range meta.Outputs[name].Imports {
				if i.Kind == "import-statement" && !seen[i.Path] {
					seen[i.Path] = true
					all[output] = append(all[output], i.Path)
					visit(i.Path)
				}
			}
		}
		visit(output)
	}
	return all, nil
}
