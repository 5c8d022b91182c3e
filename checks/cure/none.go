package cure

// instead says what to do while nothing cures a package.
func instead(p Problem, name string) string {
	text := "Replace " + name + " or do without it"
	if via := p.via(); p.Relation == Transitive && via != "" {
		text = "Replace `" + via + "`, which brings it in, or look for a version of it that needs no " + name
	}
	return text + "; or, when the affected part is not used, have the owners accept the risk for a while with an exception in the policy."
}

// removal says how to get rid of malware, and what to do where it ran.
func removal(p Problem, name string, row manager) string {
	text := "Remove " + name
	switch plain := plainName(p.Name); {
	case p.Relation == Transitive && len(p.Via) > 0 && plainName(p.Via[0]):
		text += " by removing or moving `" + p.Via[0] + "`, which brings it in."
	case plain && row.remove != "" && p.Relation != Transitive:
		text += ": `" + p.fill(row.remove) + "`."
	default:
		text += " and whatever brings it in."
	}
	if p.Clean != "" && plainVersion(p.Clean) {
		text += " Version " + p.Clean + " is not known to be malicious."
	}
	return text + " Where it was installed, take the machine for compromised: rotate registry and cloud credentials, SSH keys, CI secrets, and whatever else could be read there."
}
