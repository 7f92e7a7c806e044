drop index orders_customer_email;
drop index orders_external_id;
drop index orders_source_placed;
drop index orders_source;
drop index orders_status_placed;
drop index orders_status;
alter table orders drop column customer_email;
