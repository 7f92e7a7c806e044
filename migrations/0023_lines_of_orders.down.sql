alter table order_lines add constraint order_lines_organization_id_order_id_fkey
  foreign key (organization_id, order_id) references orders (organization_id, id);
