// Package samples has what the stories and the torture set up alike. It has nothing
// of the gateway's.
package samples

import "fmt"

// Charter is that of a small city with counters of people, and a budget for devices.
const Charter = `city: {id: smallville, name: Smallville, timezone: Europe/Madrid, languages: [en]}
purposes: [test]
forbidden_classes: [credential]
kinds_about_people: [wifi-counter]
min_units: 3
epsilon_per_day: {device: 20}
delta_per_day: 0.01
max_contributions: 10
sunset_max: P2Y
`

// Influx is the configuration of an InfluxDB 1.8 with its files in dir, which binds
// one loopback address and answers HTTP at another.
func Influx(dir, bind, http string) string {
	return fmt.Sprintf(`reporting-disabled = true
bind-address = %q
[meta]
  dir = "%[2]s/meta"
  logging-enabled = false
[data]
  dir = "%[2]s/data"
  wal-dir = "%[2]s/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = %[3]q
  flux-enabled = true
  log-enabled = false
`, bind, dir, http)
}
