-- As with reservations: lines are written by the statement that writes their order, and by nothing else. Made while the
-- tables were empty, the plan of the check read half an index for each line until statistics were there.
alter table order_lines drop constraint order_lines_organization_id_order_id_fkey;
