package cage

import "io/fs"

// walk calls take with each file of a folder.
func walk(root fs.FS, take func(path string, data []byte)) error {
	return fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, path)
		if err == nil {
			take(path, data)
		}
		return err
	})
}
