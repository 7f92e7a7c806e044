-- Lists of deliveries by state and by type of event, newest first. Nearly all are delivered: what is not has an index of its own.
create index webhook_deliveries_state on webhook_deliveries (organization_id, state, id) where state <> 'delivered';
create index webhook_deliveries_type on webhook_deliveries (organization_id, event_type, id);
