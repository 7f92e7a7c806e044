alter table reservations add constraint reservations_organization_id_order_id_fkey
  foreign key (organization_id, order_id) references orders (organization_id, id);
alter table idempotency_keys reset (toast_tuple_target);
