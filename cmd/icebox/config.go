package main

import "icebox/config"

// load reads the configuration that -c names, or else the one that is found.
func (a *app) load() (*config.Config, []config.Warning, error) {
	file := a.file
	if file == "" {
		file = config.Find()
	}
	return config.Load(file)
}
