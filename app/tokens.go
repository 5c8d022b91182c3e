package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v62/github"
)

// permissions says what a token may do, in GitHub's names: {"contents": "read"}.
type permissions map[string]string

// String returns "checks: write, contents: read", sorted.
func (p permissions) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		parts = append(parts, name+": "+p[name])
	}
	return strings.Join(parts, ", ")
}

// words returns p as GitHub's settings name permissions: "Pull requests: read".
func (p permissions) words() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		spaced := strings.ReplaceAll(name, "_", " ")
		parts = append(parts, strings.ToUpper(spaced[:1])+spaced[1:]+": "+p[name])
	}
	return strings.Join(parts, ", ")
}

// missing returns what of p is not in granted. Write includes read.
func (p permissions) missing(granted map[string]string) permissions {
	lacking := permissions{}
	for name, level := range p {
		if have := granted[name]; have != level && have != "write" && have != "admin" {
			lacking[name] = level
		}
	}
	return lacking
}

// errPermission says that the installation does not grant what a job needs. It ends in the
// conclusion action_required: a person must act, trying again does not help.
type errPermission struct {
	// Missing is what is not granted; empty when GitHub does not say.
	Missing permissions
}

func (e *errPermission) Error() string {
	if len(e.Missing) == 0 {
		return "the installation does not permit this"
	}
	return "the installation does not grant " + e.Missing.String()
}

// errGone says that an installation was removed or suspended: there is nothing to do for it.
var errGone = errors.New("the installation is gone or suspended")

// tokenMargin is how long before its end a token is replaced. Tokens live an hour
// (docs.github.com, "Generating an installation access token").
const tokenMargin = 5 * time.Minute

// tokens mints installation tokens and keeps each until shortly before it ends. A token
// reaches one repository with the permissions of one kind of job, and stays in memory. Only
// the sweep's, which lists repositories and may read nothing else, reaches them all.
type tokens struct {
	apps *github.Client // speaks as the App itself
	now  func() time.Time

	mu   sync.Mutex
	kept map[string]*token
}

// token is one kept token. mu serialises minting, so that jobs that start together ask once.
type token struct {
	mu    sync.Mutex
	value string
	until time.Time
}

func tokenKey(r repo, need permissions) string {
	return fmt.Sprintf("%d/%d/%s", r.InstallationID, r.ID, need)
}

// of returns a token for r with the permissions need.
func (t *tokens) of(ctx context.Context, r repo, need permissions) (string, error) {
	key := tokenKey(r, need)
	t.mu.Lock()
	k, ok := t.kept[key]
	if !ok {
		k = &token{}
		t.kept[key] = k
	}
	t.mu.Unlock()

	k.mu.Lock()
	defer k.mu.Unlock()
	if k.value != "" && t.now().Before(k.until.Add(-tokenMargin)) {
		return k.value, nil
	}
	value, until, err := t.mint(ctx, r, need)
	if err != nil {
		return "", err
	}
	k.value, k.until = value, until
	return value, nil
}

// drop forgets value, which GitHub refused. A newer token stays.
func (t *tokens) drop(r repo, need permissions, value string) {
	t.mu.Lock()
	k := t.kept[tokenKey(r, need)]
	t.mu.Unlock()
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.value == value {
		k.value = ""
	}
}

// mint asks GitHub for a token. The request is a map because go-github v62 does not know
// every permission, attestations among them.
func (t *tokens) mint(ctx context.Context, r repo, need permissions) (string, time.Time, error) {
	var answer struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	body := map[string]any{"permissions": need}
	if r.ID != 0 {
		body["repository_ids"] = []int64{r.ID}
	}
	path := fmt.Sprintf("app/installations/%d/access_tokens", r.InstallationID)
	req, err := t.apps.NewRequest(http.MethodPost, path, body)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("asking for a token of installation %d: %w", r.InstallationID, err)
	}
	_, err = t.apps.Do(ctx, req, &answer)
	switch status(err) {
	case 0:
	case http.StatusUnprocessableEntity:
		return "", time.Time{}, t.why(ctx, r, need, err)
	case http.StatusForbidden, http.StatusNotFound:
		return "", time.Time{}, fmt.Errorf("asking for a token of installation %d: %w: %w", r.InstallationID, errGone, err)
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("asking for a token of installation %d: %w", r.InstallationID, err)
	}
	if answer.Token == "" || answer.ExpiresAt.IsZero() {
		return "", time.Time{}, fmt.Errorf("asking for a token of installation %d: the answer holds none", r.InstallationID)
	}
	return answer.Token, answer.ExpiresAt, nil
}

// why finds out which permission a refused token lacked. GitHub answers 422 both for that
// and for a repository that the installation does not reach.
func (t *tokens) why(ctx context.Context, r repo, need permissions, refusal error) error {
	var answer struct {
		Permissions map[string]string `json:"permissions"`
		SuspendedAt *time.Time        `json:"suspended_at"`
	}
	req, err := t.apps.NewRequest(http.MethodGet, fmt.Sprintf("app/installations/%d", r.InstallationID), nil)
	if err != nil {
		return fmt.Errorf("asking what installation %d grants: %w", r.InstallationID, err)
	}
	if _, err := t.apps.Do(ctx, req, &answer); err != nil {
		return fmt.Errorf("asking what installation %d grants: %w", r.InstallationID, err)
	}
	if answer.SuspendedAt != nil {
		return fmt.Errorf("installation %d: %w", r.InstallationID, errGone)
	}
	if lacking := need.missing(answer.Permissions); len(lacking) > 0 {
		return &errPermission{Missing: lacking}
	}
	return fmt.Errorf("installation %d does not reach repository %s: %w: %w", r.InstallationID, r, errGone, refusal)
}
