package history

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/landwaiter/landwaiter/checks/duties"
)

// checkName is the name of the check on pull requests.
const checkName = "landwaiter/pr"

// pulls fills in the reviews and checks of the pull requests of f, as far as rules ask.
func (r *Reader) pulls(ctx context.Context, f *duties.Facts) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(width)
	for i := range f.Pulls {
		p := &f.Pulls[i]
		if r.Rules.AsksReviews() {
			group.Go(func() error { return r.reviews(inner, p) })
		}
		if r.Rules.Checked != duties.Off {
			group.Go(func() error { return r.check(inner, p) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return r.roles(ctx, f)
}

// reviews reads who approved p. GitHub lists reviews in the order of time; of each person the
// last one that approves, asks for changes or was dismissed counts. Comments change nothing.
func (r *Reader) reviews(ctx context.Context, p *duties.Pull) error {
	list, over, err := all[review](ctx, r, fmt.Sprintf("pulls/%d/reviews", p.Number), maxReviews)
	if why := missing(err); why != "" {
		p.ReviewsProblem = why
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the reviews of pull request %d: %w", p.Number, err)
	}
	if over {
		p.ReviewsProblem = fmt.Sprintf("it has more than %d reviews", maxReviews*perPage)
		return nil
	}
	at := map[int64]int{}
	for _, x := range list {
		state := strings.ToUpper(x.State)
		if state != "APPROVED" && state != "CHANGES_REQUESTED" && state != "DISMISSED" {
			continue
		}
		by := x.User.person()
		found := duties.Review{By: by, Approved: state == "APPROVED", Merged: p.Head != "" && strings.EqualFold(x.CommitID, p.Head)}
		if i, ok := at[by.ID]; ok {
			p.Reviews[i] = found
			continue
		}
		at[by.ID] = len(p.Reviews)
		p.Reviews = append(p.Reviews, found)
	}
	return nil
}

// check reads how our check on the head of p ended: of the runs for this very pull request the
// newest. Only runs of our own App count, whatever others call theirs.
func (r *Reader) check(ctx context.Context, p *duties.Pull) error {
	path := fmt.Sprintf("commits/%s/check-runs?check_name=%s&app_id=%d&filter=all&per_page=%d", p.Head, url.QueryEscape(checkName), r.AppID, perPage)
	var found checkRuns
	more, err := r.Get(ctx, path, &found)
	if why := missing(err); why != "" {
		p.Check.Problem = why
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the checks of %s: %w", p.Head, err)
	}
	if more {
		p.Check.Problem = fmt.Sprintf("it has more than %d runs of it", perPage)
		return nil
	}
	var newest int64
	for _, x := range found.Runs {
		number, ours := r.RunOf(x.ExternalID, p.Head)
		if !ours || number != p.Number || x.App.ID != r.AppID || x.Name != checkName || !strings.EqualFold(x.HeadSHA, p.Head) || x.ID < newest {
			continue
		}
		newest, p.Check.Conclusion = x.ID, x.Conclusion
		if x.Status != "completed" {
			p.Check.Conclusion = x.Status
		}
	}
	if p.Check.Conclusion != "neutral" {
		return nil
	}
	p.Check.Passed, err = r.Passed(ctx, p.Number, p.Head)
	return err
}

// roles asks what the people who approved may do in the repository now, each once.
func (r *Reader) roles(ctx context.Context, f *duties.Facts) error {
	type answer struct{ role, problem string }
	known := map[int64]*answer{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(width)
	var mu sync.Mutex
	each(f, func(v *duties.Review) {
		if v.By.ID == 0 || v.By.Bot || !v.Approved || !v.Merged || known[v.By.ID] != nil {
			return
		}
		a := &answer{}
		known[v.By.ID] = a
		if len(known) > maxPeople {
			a.problem = fmt.Sprintf("more than %d people approved; what the others may do was not asked", maxPeople)
			return
		}
		group.Go(func() error {
			role, problem, err := r.role(ctx, v.By)
			mu.Lock()
			defer mu.Unlock()
			*a = answer{role, problem}
			return err
		})
	})
	if err := group.Wait(); err != nil {
		return err
	}
	each(f, func(v *duties.Review) {
		if a := known[v.By.ID]; a != nil {
			v.Role, v.RoleProblem = a.role, a.problem
		}
	})
	return nil
}

// each calls do for every review.
func each(f *duties.Facts, do func(*duties.Review)) {
	for i := range f.Pulls {
		for k := range f.Pulls[i].Reviews {
			do(&f.Pulls[i].Reviews[k])
		}
	}
}

// role asks what a person may do. The number is compared, because logins can be given up and
// taken by others.
func (r *Reader) role(ctx context.Context, by duties.Person) (role, problem string, err error) {
	var found permission
	_, err = r.Get(ctx, "collaborators/"+url.PathEscape(by.Login)+"/permission", &found)
	if why := missing(err); why != "" {
		return "", "what this account may do is not known: " + why, nil
	}
	if err != nil {
		return "", "", fmt.Errorf("reading what %s may do: %w", by.Login, err)
	}
	if found.User == nil || found.User.ID != by.ID {
		return "", "the login belongs to another account now", nil
	}
	return found.Permission, "", nil
}
