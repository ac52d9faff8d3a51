package street

import "fmt"

// Portalba are the sensors of the example city, busiest zone first, as its register has them: some
// meters speak ChirpStack, Sparkplug or SenML. The air station at the market is dead, so that there is
// something with no data.
func Portalba() []Sensor {
	return []Sensor{
		{ID: "rambla-1", Owner: "acme", Zone: "rambla", Kind: WiFi},
		{ID: "mercat-1", Owner: "acme", Zone: "mercat", Kind: WiFi},
		{ID: "estacio-1", Owner: "acme", Zone: "estacio", Kind: WiFi},
		{ID: "port-1", Owner: "acme", Zone: "port", Kind: WiFi},
		{ID: "raval-1", Owner: "acme", Zone: "raval", Kind: WiFi},
		{ID: "tram-1", Owner: "tram", Zone: "estacio", Kind: Cards},
		{ID: "noise-rambla", Owner: "sona", Zone: "rambla", Kind: Noise, As: "chirpstack-v4",
			Device: "70b3d57ed0005a17"},
		{ID: "noise-port", Owner: "sona", Zone: "port", Kind: Noise, As: "senml-json", Device: "02005efffe0015e5"},
		{ID: "air-rambla", Owner: "aire", Zone: "rambla", Kind: Air, As: "sparkplug-b",
			Device: "Portalba/Weather/Station 1"},
		{ID: "air-port", Owner: "aire", Zone: "port", Kind: Air, As: "sparkplug-b",
			Device: "Portalba/Weather/Station 2"},
		{ID: "air-mercat", Owner: "aire", Zone: "mercat", Kind: Air, Dead: true},
	}
}

// Named are n sensors: the example city's, then more counters in its zones.
func Named(n int) []Sensor {
	list := Portalba()
	for i := len(list); i < n; i++ {
		list = append(list, Sensor{ID: fmt.Sprintf("street-%04d", i), Owner: "acme", Zone: list[i%5].Zone, Kind: WiFi})
	}
	return list[:max(0, min(n, len(list)))]
}
