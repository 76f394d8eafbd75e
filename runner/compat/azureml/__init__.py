"""Stand-in for the package `azureml` inside a run of the studio."""
