package main

func brokerKills(t *trial) {}
func brokerDies(t *trial)  {}
func diskFaults(t *trial)  {}
func storeAway(t *trial)   {}
func stalls(t *trial)      {}
func rogues(t *trial)      {}
