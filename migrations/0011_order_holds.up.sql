-- What keeps one step of an order from happening until it is released.
create table order_holds (
  organization_id text collate "C" not null default current_setting('app.organization_id'),
  order_id text collate "C" not null,
  id text collate "C" not null,
  kind text not null check (kind in ('fraudReview', 'paymentInDoubt', 'stockShortfall', 'partnerAck', 'manual')),
  blocks text not null check (blocks in ('confirm', 'capture', 'fulfill')),
  reason text,
  created_at timestamptz(3) not null,
  released_at timestamptz(3),
  primary key (organization_id, order_id, id),
  foreign key (organization_id, order_id) references orders (organization_id, id)
);

alter table order_holds enable row level security;
alter table order_holds force row level security;
create policy tenant on order_holds to purser_app
  using (organization_id = current_setting('app.organization_id', true))
  with check (organization_id = current_setting('app.organization_id', true));
grant select, insert, update on order_holds to purser_app;
