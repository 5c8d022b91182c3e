package cage

import (
	"fmt"

	"github.com/landwaiter/landwaiter/checks/inventory"
	"github.com/landwaiter/landwaiter/checks/packed"
)

// putInventory writes what was read of files, at most limit bytes of it: a manifest that would
// be beyond comes out with a Gap.
func putInventory(w *packed.Writer, inv inventory.Inventory, fileOf map[string]int, limit int) {
	w.Num(len(inv.Manifests))
	for i := range inv.Manifests {
		m := &inv.Manifests[i]
		before := w.Mark()
		w.Num(fileOf[m.Path])
		w.Manifest(m)
		if w.Size() > limit || len(m.Packages) > packed.MaxPackages {
			w.Back(before)
			w.Num(fileOf[m.Path])
			w.Manifest(&inventory.Manifest{
				Gap: fmt.Sprintf("could not be read: what it holds takes more than %d MiB together with the other manifests; split the project", limit>>20),
			})
		}
	}
}

// getInventory reads what putInventory wrote and calls take with each manifest.
func getInventory(r *packed.Reader, files int, take func(file int, m inventory.Manifest) error) error {
	for range r.Count(files) {
		file := r.Num(files - 1)
		m := r.Manifest()
		if r.Failed() {
			break
		}
		if err := take(file, m); err != nil {
			return err
		}
	}
	return r.End()
}
