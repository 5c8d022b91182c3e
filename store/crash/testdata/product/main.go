// Command product reaches a point. Its test looks for the point's name in it.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/landwaiter/landwaiter/store/crash"
)

func main() {
	crash.Before(crash.RecordCommit)
	fmt.Println(crash.Hurry(time.Minute))
	crash.After(crash.RecordCommit)
	crash.BeforeCall("GET /" + os.Args[0])
	crash.AfterCall("GET /" + os.Args[0])
	fmt.Println("alive")
}
