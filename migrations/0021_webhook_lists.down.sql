drop index webhook_deliveries_state;
drop index webhook_deliveries_type;
