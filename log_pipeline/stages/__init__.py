"""What is done to each event between source and sink. One file a stage, listed in `catalog`."""
