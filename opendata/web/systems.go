package web

import "sluice/opendata/i18n"

// systems are the names of what sensors speak, by preset. They are names, the same in all languages.
var systems = map[string]string{
	"anpr2mqtt": "anpr2mqtt", "chirpstack-v4": "ChirpStack v4", "dsmr": "DSMR P1", "dsmr-json": "DSMR P1",
	"esphome": "ESPHome", "espresense": "ESPresense", "frigate-lpr": "Frigate", "home-assistant": "Home Assistant",
	"native-cbor": "CBOR (RFC 8949)", "openmqttgateway": "OpenMQTTGateway", "paxcounter": "ESP32-Paxcounter",
	"paxcounter-bytes": "ESP32-Paxcounter",
	"senml-base":       "SenML (RFC 8428)",
	"senml-cbor":       "SenML (RFC 8428)", "senml-json": "SenML (RFC 8428)", "sensor-community": "Sensor.Community",
	"sensorthings-array": "OGC SensorThings 1.1",
	"sensorthings-mqtt":  "OGC SensorThings 1.1", "sentilo": "Sentilo", "sentilo-provider": "Sentilo",
	"smart-citizen": "Smart Citizen Kit", "smart-citizen-raw": "Smart Citizen Kit",
	"sparkplug-b": "Eclipse Sparkplug B", "tasmota": "Tasmota",
	"ttn-v3": "The Things Stack v3", "wmbusmeters": "wmbusmeters", "zigbee2mqtt": "Zigbee2MQTT",
}

// system says what a sensor speaks and over which radio, by the preset of its public entry. A preset of
// the city's own goes by its id.
func system(s *i18n.Localizer, preset string) string {
	name := systems[preset]
	if name == "" {
		name = preset
	}
	radio := map[string]string{"chirpstack-v4": "LoRaWAN", "ttn-v3": "LoRaWAN", "zigbee2mqtt": "Zigbee",
		"wmbusmeters": "wireless M-Bus"}[preset]
	if radio == "" {
		return name
	}
	return s.Say("%s through %s", name, radio)
}
