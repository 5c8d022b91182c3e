// Package crash names the points at which the service is killed in tests, before and after each
// effect that outlasts it (THREATS.md section 5).
//
// The product holds nothing of it: without the build tag "faults" every function here is empty
// and is compiled away (off.go). With the tag, a process kills itself with SIGKILL at the point
// that the file named by Variable tells (on.go), and cmd/landwaiter/faults plays that for each
// point and checks the invariants. To add a point: a constant, a line in Points, the calls of
// Before and After around the effect, a row in docs/reliability.md.
package crash

// Variable names the file that arms a point, in a build with the tag "faults". The file holds one
// line: how many times the point is reached until it kills, "before" or "after", and its name,
// such as "1 after record commit". The process removes the file and then kills itself.
const Variable = "LANDWAITER_CRASH"

// HurryVariable divides the durations given to Hurry, in a build with the tag "faults".
const HurryVariable = "LANDWAITER_HURRY"

// Point is one effect.
type Point string

// The points, in the order of the path.
const (
	BodyRead         Point = "body read"         // the webhook was read and its signature fits
	DeliveryCommit   Point = "delivery commit"   // delivery and route job
	Answer           Point = "answer"            // of the webhook
	Claim            Point = "claim"             // of jobs, with their leases
	LeaseRenewal     Point = "lease renewal"     // the heartbeat
	ChildStart       Point = "child start"       // of a caged reader
	ChildEnd         Point = "child end"         // of its answer
	RecordCommit     Point = "record commit"     // report, entry, publish jobs, end of the judgment
	LedgerLeaf       Point = "ledger leaf"       // afterwards: a leaf without a checkpoint
	CheckpointSigned Point = "checkpoint signed" // afterwards: signed and not stored
	CheckpointFile   Point = "checkpoint file"   // outside the database
	JobEnd           Point = "job end"           // with the jobs that follow
	JobRetry         Point = "job retry"         // put back after a fault
	JobBurial        Point = "job burial"        // set aside after the last attempt
	Publication      Point = "publication"       // what is shown, or is about to be, is stored
	SummaryCommit    Point = "summary commit"    // before: signed, afterwards: kept and unsent
	AdvisorySwap     Point = "advisory swap"     // the new file takes the place of the old one
	Migration        Point = "migration"         // of the schema
	Shutdown         Point = "shutdown"          // after SIGTERM: jobs given back, store closed
)

// Points lists every point but the calls to GitHub, each of which is one as well: BeforeCall.
func Points() []Point {
	return []Point{
		BodyRead, DeliveryCommit, Answer, Claim, LeaseRenewal, ChildStart, ChildEnd,
		RecordCommit, LedgerLeaf, CheckpointSigned, CheckpointFile, JobEnd, JobRetry, JobBurial,
		Publication, SummaryCommit, AdvisorySwap, Migration, Shutdown,
	}
}

// CallName is the name of the point of calls to a route, written as in the metric of calls, such as
// "POST /repos/{}/{}/check-runs".
func CallName(route string) Point { return Point("call " + route) }
