// Package checks holds the words of Landwaiter and its judgments.
//
// A check looks at Evidence under a Policy and forms a Verdict. Everything here is pure:
// nothing reads the network, the disk, the clock or the database, and the same input
// always gives the same Report. What is judged arrives as Material, already fetched and
// bounded by the caller; what scanners saw arrives as Evidence.
//
// Start reading at Run in run.go, which is the one path from Material to Report, then at
// pr.go and release.go, which hold one judgment each.
package checks
