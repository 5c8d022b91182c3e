// Package faults proves by tests that nothing accepted is ever lost and nothing wrong is ever shown
// (THREATS.md section 5, docs/reliability.md).
//
// A supervisor keeps a stand-in for GitHub, starts the real service beside it as a process, lets
// things happen, and kills or freezes the process: at every named point (points_test.go), or at
// random (random_test.go). After each fault the service is started again, the backlog must empty
// by itself, and package invarianttest checks that the invariants hold.
//
// The service is built with the tag "faults" (build_test.go): without it, the product holds no
// crash point. There are only tests here. Start reading at world_test.go.
package faults
