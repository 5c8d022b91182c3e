package app

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/landwaiter/landwaiter/app/githubtest"
)

// weathers are what is wrong with every answer of GitHub at once (THREATS.md section 5).
var weathers = []struct {
	name    string
	weather githubtest.Weather
	says    string // in the log
}{
	{"every answer drips", githubtest.Weather{Drip: 500}, ""},
	{"the Date is ten minutes ahead", githubtest.Weather{DateOff: 10 * time.Minute}, "ahead_seconds=-600"},
	{"the Date is ten minutes behind", githubtest.Weather{DateOff: -10 * time.Minute}, "ahead_seconds=600"},
	{"readings are up to a second old", githubtest.Weather{Lag: 900 * time.Millisecond}, ""},
}

// TestBadWeather lets everything happen while every answer of GitHub has a fault: what was asked for comes all
// the same, once, and the invariants hold.
func TestBadWeather(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range weathers {
		if !strings.Contains(string(page), "| "+tt.name+" |") {
			t.Errorf("docs/reliability.md does not list the fault %q", tt.name)
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlayer(t)
			p.github.SetWeather(tt.weather)
			for _, s := range scenes() {
				p.route = s.name
				s.play(p, p.fresh(), func() {})
				p.calm()
			}
			p.rounds(25 * time.Minute)
			p.holds(nil)
			if !strings.Contains(p.log.String(), tt.says) {
				t.Errorf("the log does not say %q", tt.says)
			}
			if warned := strings.Count(p.log.String(), "clock is not GitHub's"); (tt.says == "") != (warned == 0) || warned > 1 {
				t.Errorf("the log speaks of the clock %d times", warned)
			}
		})
	}
}
