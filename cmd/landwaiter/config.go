package main

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/landwaiter/landwaiter/app/tracing"
	"github.com/landwaiter/landwaiter/scanners/registry"

	"github.com/landwaiter/landwaiter/scanners/osv"
	"github.com/landwaiter/landwaiter/scanners/sigstore/npm"
	"github.com/landwaiter/landwaiter/scanners/sigstore/oci"
	"github.com/landwaiter/landwaiter/web"
)

// config is the operator's configuration of `landwaiter serve`, checked.
type config struct {
	publicURL      string
	listen         string // host:port
	metricsListen  string // host:port; "" puts /metrics on listen
	databaseURL    string // "sqlite:<file>" or "postgres://..."
	dataDir        string
	appID          int64
	privateKey     []byte // PEM
	webhookSecrets []string
	apiURL         string // with a trailing slash
	osvURL         string
	depsDevURL     string // "" when registries are not asked
	private        registry.Private
	images         oci.Client
	npm            npm.Client
	kevURL         string // or "off"
	epssURL        string // or "off"
	refresh        bool   // update advisories in the background
	trustRefresh   bool   // refresh trust roots in the background
	logLevel       slog.Level
	logFormat      string
	workers        int
	ledgerAccess   web.LedgerAccess
	ledgerToken    string          // "" when nobody reads entries
	tracer         *tracing.Tracer // from OTEL_*, which is not among the settings; see openTraces
	summaryKey     string          // "file", "off", or NAME://KEY of a key outside
}

// setting is one row of the configuration: its canonical name, other names it answers to,
// and how its text becomes part of config. docs/configuration.md lists the same rows.
type setting struct {
	name       string // without the prefix LANDWAITER_
	also       []string
	secret     bool // also read from the file that <NAME>_FILE names
	initial    string
	mayBeEmpty bool
	should     string // what it should be, for error messages
	set        func(c *config, value string) error
}

// settings is the table of configuration rows. Order is that of docs/configuration.md.
var settings = []setting{
	{name: "PUBLIC_URL", should: "the https:// address under which browsers reach Landwaiter, such as https://landwaiter.example.com",
		set: func(c *config, v string) error { return setURL(&c.publicURL, v) }},
	{name: "LISTEN", also: []string{"PORT"}, initial: "8080", should: "a port, or an address and a port such as 127.0.0.1:8080",
		set: func(c *config, v string) error { return setListen(&c.listen, v) }},
	{name: "METRICS_LISTEN", initial: "9090", should: "a port, an address and a port, or off to serve /metrics with the rest",
		set: func(c *config, v string) error {
			if v == "off" {
				c.metricsListen = ""
				return nil
			}
			return setListen(&c.metricsListen, v)
		}},
	{name: "DATA_DIR", initial: "landwaiter-data", should: "a folder that Landwaiter may write",
		set: func(c *config, v string) error { c.dataDir = filepath.Clean(v); return nil }},
	{name: "DATABASE_URL", also: []string{"DATABASE_URL"}, secret: true, mayBeEmpty: true, should: "empty for a SQLite file in the data folder, sqlite:FILE, or postgres://user:password@host/name",
		set: setDatabase},
	{name: "GITHUB_APP_ID", also: []string{"GITHUB_APP_ID", "APP_ID"}, should: "the App ID, a number from the App's settings page",
		set: func(c *config, v string) error { return setNumber(&c.appID, v, 1, 1<<62) }},
	{name: "GITHUB_PRIVATE_KEY", also: []string{"GITHUB_APP_PRIVATE_KEY", "PRIVATE_KEY", "PRIVATE_KEY_PATH"}, secret: true, should: "the App's private key: PEM text, PEM in base64, or the path of a .pem file",
		set: setPrivateKey},
	{name: "GITHUB_WEBHOOK_SECRET", also: []string{"GITHUB_WEBHOOK_SECRET", "WEBHOOK_SECRET"}, secret: true, should: "the App's webhook secret, at least 16 characters; two with a comma between them while rotating",
		set: setWebhookSecrets},
	{name: "GITHUB_URL", also: []string{"GHE_HOST"}, initial: "https://github.com", should: "https://github.com, your Enterprise Server such as https://github.example.com, or https://NAME.ghe.com",
		set: func(c *config, v string) error { return setAPIURL(&c.apiURL, v) }},
	{name: "OSV_URL", initial: "https://osv-vulnerabilities.storage.googleapis.com", should: "the https:// address of an OSV bucket",
		set: func(c *config, v string) error { return setURL(&c.osvURL, v) }},
	{name: "KEV_URL", initial: osv.DefaultKEVURL, should: "the https:// address of CISA's catalogue of known exploited vulnerabilities or of a copy, or off",
		set: func(c *config, v string) error { return setURLOrOff(&c.kevURL, v) }},
	{name: "EPSS_URL", initial: osv.DefaultEPSSURL, should: "the https:// address of FIRST's EPSS scores (CSV, maybe .gz) or of a copy, or off",
		set: func(c *config, v string) error { return setURLOrOff(&c.epssURL, v) }},
	{name: "ADVISORY_REFRESH", initial: "on", should: "on or off",
		set: func(c *config, v string) error { return setChoice(&c.refresh, v) }},
	{name: "TRUST_REFRESH", initial: "on", should: "on or off",
		set: func(c *config, v string) error { return setChoice(&c.trustRefresh, v) }},
	{name: "DEPSDEV_URL", initial: registry.DefaultURL, should: "the https:// address of deps.dev's API or of a mirror, or off to ask nobody about packages",
		set: func(c *config, v string) error { return setDepsDev(&c.depsDevURL, v) }},
	{name: "PRIVATE_PACKAGES", mayBeEmpty: true, should: "patterns of your own packages with commas between them, such as npm:@acme/*, go:git.acme.example/*, maven:com.acme.*",
		set: func(c *config, v string) (err error) { c.private, err = registry.ParsePrivate(v); return err }},
	{name: "IMAGE_REGISTRIES", initial: "ghcr.io", should: "hosts of container registries that may be asked about images of releases, with commas between them, or off",
		set: func(c *config, v string) error { return setHosts(&c.images.Registries, v) }},
	{name: "NPM_URL", mayBeEmpty: true, should: "the https:// address of the npm registry that is asked about packages of releases, or empty to ask none",
		set: func(c *config, v string) error { return setNPM(&c.npm.URL, v) }},
	{name: "LEDGER_ACCESS", initial: "off", should: "what of the ledger everybody may read: off, checkpoint, or tiles for all hashes",
		set: func(c *config, v string) error {
			if c.ledgerAccess = web.LedgerAccess(v); v != "off" && v != "checkpoint" && v != "tiles" {
				return fmt.Errorf("is %q", v)
			}
			return nil
		}},
	{name: "LEDGER_TOKEN", secret: true, mayBeEmpty: true, should: "a secret of at least 32 characters for those who may read all entries of the ledger, such as openssl rand -hex 32 prints, or empty",
		set: func(c *config, v string) error {
			if c.ledgerToken = v; v != "" && len(v) < 32 {
				return fmt.Errorf("has %d characters", len(v))
			}
			return nil
		}},
	{name: "SUMMARY_KEY", initial: "file", should: "file for a key in the data folder, off for no verification summaries, or NAME://KEY for a key that the program sigstore-kms-NAME signs with", set: setSummaryKey},
	{name: "WORKERS", initial: "4", should: "how many jobs run at once, 1 to 64",
		set: func(c *config, v string) error {
			var n int64
			err := setNumber(&n, v, 1, 64)
			c.workers = int(n)
			return err
		}},
	{name: "LOG_LEVEL", also: []string{"LOG_LEVEL"}, initial: "info", should: "debug, info, warn or error",
		set: func(c *config, v string) error { return c.logLevel.UnmarshalText([]byte(v)) }},
	{name: "LOG_FORMAT", also: []string{"LOG_FORMAT"}, initial: "json", should: "json or text",
		set: func(c *config, v string) error {
			if v != "json" && v != "text" {
				return fmt.Errorf("is %q", v)
			}
			c.logFormat = v
			return nil
		}},
}

// loadConfig reads the environment and, when path is not empty, the operator's file. The
// environment wins. All that is wrong is reported at once, each with the name of the
// variable and what it should be.
func loadConfig(env func(string) (string, bool), path string) (config, error) {
	var c config
	file, err := readConfigFile(path)
	if err != nil {
		return c, err
	}
	var wrong []string
	for _, s := range settings {
		name, value, err := s.lookup(env, file)
		if err == nil && (value != "" || s.mayBeEmpty) {
			err = s.set(&c, value)
		} else if err == nil {
			err = fmt.Errorf("is not set")
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s %v; it should be %s", name, err, s.should))
		}
	}
	if host, ok := env("HOST"); ok && host != "" && strings.HasPrefix(c.listen, ":") {
		c.listen = net.JoinHostPort(host, c.listen[1:])
	}
	if len(wrong) > 0 {
		return c, usage("the configuration is not usable:\n  %s", strings.Join(wrong, "\n  "))
	}
	return c, nil
}

// lookup returns the value of s and the name it was found under.
func (s setting) lookup(env func(string) (string, bool), file map[string]string) (name, value string, err error) {
	canonical := "LANDWAITER_" + s.name
	for _, name := range append([]string{canonical}, s.also...) {
		if v, ok := env(name); ok && v != "" {
			return name, v, nil
		}
		if path, ok := env(name + "_FILE"); s.secret && ok && path != "" {
			data, err := os.ReadFile(path)
			if err != nil {
				return name + "_FILE", "", fmt.Errorf("names a file that cannot be read (%v)", err)
			}
			return name + "_FILE", strings.TrimSpace(string(data)), nil
		}
	}
	if v, ok := file[strings.ToLower(s.name)]; ok {
		return strings.ToLower(s.name), v, nil
	}
	return canonical, s.initial, nil
}

// readConfigFile reads the operator's YAML file of settings: the names of the environment
// in lower case without the prefix. An unknown key is an error.
func readConfigFile(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("reading the configuration file: %w", err)
	}
	var raw map[string]any
	if err := yaml.Unmarshal(data, &raw); err != nil {
		return nil, usage("the configuration file %s is not readable:\n%v", path, err)
	}
	known := map[string]bool{}
	var names []string
	for _, s := range settings {
		known[strings.ToLower(s.name)] = true
		names = append(names, strings.ToLower(s.name))
	}
	values := map[string]string{}
	for key, v := range raw {
		if !known[key] {
			sort.Strings(names)
			return nil, usage("the configuration file %s has the unknown key %q; the keys are: %s", path, key, strings.Join(names, ", "))
		}
		values[key] = fmt.Sprint(v)
	}
	return values, nil
}

func setURL(target *string, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" {
		return fmt.Errorf("is %q, which is no address", v)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return fmt.Errorf("is %q, which is not https", v)
	}
	*target = strings.TrimSuffix(v, "/")
	return nil
}

func setURLOrOff(target *string, v string) error {
	if v == "off" {
		*target = v
		return nil
	}
	return setURL(target, v)
}

func setDepsDev(target *string, v string) error {
	if v == "off" {
		*target = ""
		return nil
	}
	return setURL(target, v)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func setListen(target *string, v string) error {
	if _, err := strconv.ParseUint(v, 10, 16); err == nil {
		v = ":" + v
	}
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		return fmt.Errorf("is %q", v)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("is %q, whose port is no number up to 65535", v)
	}
	*target = v
	return nil
}

func setNumber(target *int64, v string, low, high int64) error {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < low || n > high {
		return fmt.Errorf("is %q", v)
	}
	*target = n
	return nil
}

func setChoice(target *bool, v string) error {
	if v != "on" && v != "off" {
		return fmt.Errorf("is %q", v)
	}
	*target = v == "on"
	return nil
}

func setDatabase(c *config, v string) error {
	switch {
	case v == "":
		c.databaseURL = "sqlite:" + filepath.Join(c.dataDir, "landwaiter.db")
	case strings.HasPrefix(v, "sqlite:"), strings.HasPrefix(v, "postgres://"), strings.HasPrefix(v, "postgresql://"):
		c.databaseURL = v
	default:
		return fmt.Errorf("begins with something else") // the value may hold a password
	}
	return nil
}

// setPrivateKey accepts PEM text, PEM in base64, or the path of a PEM file. Errors never
// show the value.
func setPrivateKey(c *config, v string) error {
	data := []byte(strings.ReplaceAll(v, `\n`, "\n"))
	if block, _ := pem.Decode(data); block == nil {
		if decoded, err := base64.StdEncoding.DecodeString(v); err == nil {
			data = decoded
		} else if data, err = os.ReadFile(v); err != nil {
			return fmt.Errorf("is neither PEM nor base64, and no file of that name can be read")
		}
	}
	block, _ := pem.Decode(data)
	if block == nil || !strings.Contains(block.Type, "PRIVATE KEY") {
		return fmt.Errorf("holds no PEM private key")
	}
	c.privateKey = data
	return nil
}

func setWebhookSecrets(c *config, v string) error {
	for _, s := range strings.Split(v, ",") {
		s = strings.TrimSpace(s)
		if len(s) < 16 {
			return fmt.Errorf("has %d characters", len(s))
		}
		c.webhookSecrets = append(c.webhookSecrets, s)
	}
	if len(c.webhookSecrets) > 2 {
		return fmt.Errorf("holds %d secrets", len(c.webhookSecrets))
	}
	return nil
}

// setAPIURL turns the address of GitHub into that of its REST API: api.github.com,
// HOST/api/v3 on Enterprise Server, api.NAME.ghe.com with data residency. An http address
// is taken as it is on loopback, for a stand-in.
func setAPIURL(target *string, v string) error {
	if !strings.Contains(v, "://") {
		v = "https://" + v // GHE_HOST is a bare host name
	}
	var base string
	if err := setURL(&base, v); err != nil {
		return err
	}
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	host := u.Hostname()
	switch {
	case u.Scheme == "http", strings.HasSuffix(u.Path, "/api/v3"), strings.HasPrefix(host, "api."):
	case host == "github.com":
		base = "https://api.github.com"
	case strings.HasSuffix(host, ".ghe.com"):
		base = "https://api." + host
	default:
		base += "/api/v3"
	}
	*target = base + "/"
	return nil
}
