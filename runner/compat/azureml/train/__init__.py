"""Stand-in for the package `azureml.train`."""
