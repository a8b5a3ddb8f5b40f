package configfile

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/clu-ws/clu-ws/bridge/site"
)

var boardsType = reflect.TypeFor[site.Boards]()

// decodeBoards decodes the boards of the site: a list of them, or a folder with a file for each.
func (f *File) decodeBoards(n *node, to reflect.Value, path string) {
	if n.kind == textKind {
		to.FieldByName("Dir").SetString(n.literal)
		return
	}
	f.decode(n, to.FieldByName("List"), path)
}

// Bounds of the files of boards.
const (
	maxBoardFiles = 200
	maxBoardFile  = 256 << 10 // bytes
)

// boardExtensions are those of the files of boards. JSON is YAML, too.
var boardExtensions = []string{".json", ".yaml", ".yml"}

// readBoards reads the boards of the folder that the section site names. What is wrong with a board
// has its place in its file.
func (f *File) readBoards() {
	boards := &f.Site.Boards
	if boards.Dir == "" {
		return
	}
	dir, err := FilePath(boards.Dir, f.Dir())
	if err == nil {
		boards.Dir = dir
		boards.Files, err = boardFiles(dir)
	}
	if err != nil {
		f.Add("site.boards", fmt.Errorf("site.boards: %w", err))
		return
	}
	boards.List = []site.Board{}
	for _, path := range boards.Files {
		if board, ok := f.readBoard(path); ok {
			boards.List = append(boards.List, board)
		}
	}
}

// boardFiles returns the files of the boards in a folder, sorted.
func boardFiles(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("the folder with the boards cannot be read: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !slices.Contains(boardExtensions, filepath.Ext(e.Name())) || e.IsDir() {
			continue
		}
		files = append(files, filepath.Join(dir, e.Name()))
	}
	if len(files) > maxBoardFiles {
		return nil, fmt.Errorf("the folder %s has %d boards; keep at most %d there", dir, len(files), maxBoardFiles)
	}
	return files, nil
}

// readBoard reads the file of a board, and adds what is wrong with it to the errors.
func (f *File) readBoard(path string) (b site.Board, ok bool) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxBoardFile {
		err = fmt.Errorf("%s is larger than %d KiB", path, maxBoardFile>>10)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		f.Add("site.boards", fmt.Errorf("site.boards: a board cannot be read: %w", err))
		return b, false
	}
	file := &File{Path: path, text: text}
	if file.root = file.parse(); file.root != nil {
		file.decode(file.root, reflect.ValueOf(&b).Elem(), "the board")
	}
	b.Name = cmp.Or(b.Name, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
	if err := file.Err(); err != nil {
		f.otherFiles = append(f.otherFiles, err)
		return b, false
	}
	return b, true
}
