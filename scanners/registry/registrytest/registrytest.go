// Package registrytest is a stand-in for deps.dev's API. It knows the packages of README.md,
// answers in pages, remembers what it was asked, and can be made to fail.
package registrytest

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

//go:embed versions.json
var versionsFile []byte

//go:embed packages.json
var packagesFile []byte

// Key names a version, or a package when Version is "".
type Key struct {
	System  string `json:"system"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// API is the stand-in. It may be used by several goroutines at once.
type API struct {
	// PageSize is how many answers a page has; 0 means 100, as at deps.dev.
	PageSize int

	mu       sync.Mutex // of all below
	fault    Fault
	versions map[Key]json.RawMessage
	packages map[Key]json.RawMessage
	asked    []Key
	calls    int
}

// Fault sees a request before the stand-in does; true means that it has answered.
type Fault func(w http.ResponseWriter, r *http.Request) bool

// New returns a stand-in that knows the packages of README.md.
func New() *API {
	a := &API{versions: map[Key]json.RawMessage{}, packages: map[Key]json.RawMessage{}}
	fill(versionsFile, func(m json.RawMessage) {
		var v struct{ VersionKey Key }
		must(json.Unmarshal(m, &v))
		a.versions[v.VersionKey] = m
	})
	fill(packagesFile, func(m json.RawMessage) {
		var p struct{ PackageKey Key }
		must(json.Unmarshal(m, &p))
		a.packages[p.PackageKey] = m
	})
	return a
}

func fill(file []byte, add func(json.RawMessage)) {
	var messages []json.RawMessage
	must(json.Unmarshal(file, &messages))
	for _, m := range messages {
		add(m)
	}
}

// must stops at embedded files that a mistake made unreadable.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Fail sets what goes wrong; nil ends it.
func (a *API) Fail(f Fault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault = f
}

// Set makes the stand-in know a version, as JSON of the message Version.
func (a *API) Set(k Key, message string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.versions[k] = json.RawMessage(message)
}

// Asked returns what was asked about, sorted, each once, and how many calls there were.
func (a *API) Asked() ([]Key, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	keys := slices.Clone(a.asked)
	slices.SortFunc(keys, func(x, y Key) int {
		return slices.Compare([]string{x.System, x.Name, x.Version}, []string{y.System, y.Name, y.Version})
	})
	return slices.Compact(keys), a.calls
}

// Forget forgets what was asked.
func (a *API) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked, a.calls = nil, 0
}

// ServeHTTP answers as the API does: POST /v3alpha/versionbatch, and in v3 GET of versions and
// packages.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.calls++
	fault := a.fault
	a.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3alpha/versionbatch", a.batch)
	mux.HandleFunc("GET /v3/systems/{system}/packages/{name}/versions/{version}", func(w http.ResponseWriter, r *http.Request) {
		a.one(w, a.versions, Key{r.PathValue("system"), r.PathValue("name"), r.PathValue("version")})
	})
	mux.HandleFunc("GET /v3/systems/{system}/packages/{name}", func(w http.ResponseWriter, r *http.Request) {
		a.one(w, a.packages, Key{r.PathValue("system"), r.PathValue("name"), ""})
	})
	mux.ServeHTTP(w, r)
}

func (a *API) one(w http.ResponseWriter, known map[Key]json.RawMessage, k Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, k)
	message, ok := known[k]
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	answer(w, message)
}

// batch answers in pages; the token of the next is where it begins.
func (a *API) batch(w http.ResponseWriter, r *http.Request) {
	type request struct {
		VersionKey Key `json:"versionKey"`
	}
	var question struct {
		Requests  []request
		PageToken string
	}
	if err := json.NewDecoder(r.Body).Decode(&question); err != nil || len(question.Requests) > 5000 {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	start, _ := strconv.Atoi(question.PageToken) // "" is the first page
	size := a.PageSize
	if size == 0 {
		size = 100
	}
	type response struct {
		Request request         `json:"request"`
		Version json.RawMessage `json:"version,omitempty"`
	}
	var page struct {
		Responses     []response `json:"responses"`
		NextPageToken string     `json:"nextPageToken"`
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range question.Requests[min(start, len(question.Requests)):min(start+size, len(question.Requests))] {
		a.asked = append(a.asked, q.VersionKey)
		page.Responses = append(page.Responses, response{q, a.versions[q.VersionKey]})
	}
	if start+size < len(question.Requests) {
		page.NextPageToken = strconv.Itoa(start + size)
	}
	answer(w, page)
}

func answer(w http.ResponseWriter, message any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(message) // a client that has gone does not matter here
}
