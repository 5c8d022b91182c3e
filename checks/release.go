package checks

func judgeRelease(j *judgment) {}

const runnerHosted = "github-hosted"
const keyIdentity = "key:"
