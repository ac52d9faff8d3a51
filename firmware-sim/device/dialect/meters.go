package dialect

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// wmbus is wmbusmeters' JSON of a water meter: a total that never goes back, in m3.
type wmbus struct{ silent }

func newWMBus(c Crew) Speaker { return &wmbus{silent{c}} }

// Say implements Speaker.
func (w *wmbus) Say(sensor int, list []Reading) (out []Message) {
	id := w.Sensors[sensor].Device
	for _, r := range list {
		out = append(out, Message{Topic: "wmbusmeters/" + id, Payload: encoded(with(object{
			"_": "telegram", "media": "cold water", "meter": "multical21", "name": "home " + id, "id": id,
			"total_m3": round3(r.Totals["volume"]), "target_m3": round3(r.Totals["volume"] - .9),
			"target_date": r.Time.UTC().Format("2006-01-02"), "flow_temperature_c": 127, "current_status": "",
			"status":        "OK",
			"time_bursting": "", "time_dry": "", "time_leaking": "", "time_reversed": "",
			"timestamp": r.Time.UTC().Format("2006-01-02T15:04:05Z"),
		}, r))})
	}
	return out
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }

// telegram are the fields of one DSMR telegram as DSMR-reader names them, all texts: numbers have three
// decimals.
func telegram(r Reading, meter string) map[string]string {
	decimal := func(x float64) string { return strconv.FormatFloat(round3(x), 'f', 3, 64) }
	power := decimal((number(r.Fields["energy_low"]) + number(r.Fields["energy_high"])) * 60)
	return map[string]string{
		"electricity_delivered_1": decimal(r.Totals["energy_low"]),
		"electricity_delivered_2": decimal(r.Totals["energy_high"]),
		"electricity_returned_1":  "0.000", "electricity_returned_2": "0.000",
		"electricity_currently_delivered": power, "electricity_currently_returned": "0.000",
		"phase_currently_delivered_l1": power, "phase_voltage_l1": "231.0", "equipment_id": meter,
		"extra_device_timestamp": r.Time.UTC().Format("2006-01-02T15:04:05Z"), "extra_device_delivered": "968.922",
	}
}

// dsmr is DSMR-reader with a topic for each field; the time is a field among others.
type dsmr struct{ silent }

func newDSMR(c Crew) Speaker { return &dsmr{silent{c}} }

// Say implements Speaker.
func (d *dsmr) Say(sensor int, list []Reading) (out []Message) {
	meter := d.Sensors[sensor].Device
	for _, r := range list {
		all := map[string]any{"timestamp": r.Time.UTC().Format("2006-01-02T15:04:05Z")}
		for name, value := range telegram(r, meter) {
			all[name] = value
		}
		if v, more := r.Fields[debug]; more {
			all[debug] = v
		}
		for _, name := range sorted(all) {
			out = append(out, Message{Topic: "dsmr/" + meter + "/reading/" + name, Payload: fmt.Append(nil, all[name])})
		}
	}
	return out
}

// dsmrJSON is a telegram in one message; its time is the meter's own, local with W for winter and S for
// summer, as the P1 port has it.
type dsmrJSON struct{ silent }

func newDSMRJSON(c Crew) Speaker { return &dsmrJSON{silent{c}} }

// Say implements Speaker.
func (d *dsmrJSON) Say(sensor int, list []Reading) (out []Message) {
	meter := d.Sensors[sensor].Device
	for _, r := range list {
		o := object{"timestamp": d.local(r.Time), "gas_meter_id": hash(0, meter).equipment()}
		for name, value := range telegram(r, meter) {
			o[name] = value
		}
		out = append(out, Message{Topic: "dsmr/" + meter + "/json", Payload: encoded(with(o, r))})
	}
	return out
}

func (d *dsmrJSON) local(at time.Time) string {
	if d.Location != nil {
		at = at.In(d.Location)
	}
	season := "W"
	if at.IsDST() {
		season = "S"
	}
	return at.Format("060102150405") + season
}
