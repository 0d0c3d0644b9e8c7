"""From a due group to an answer from its receivers: stages, the notification log, the outbox, the couriers."""
